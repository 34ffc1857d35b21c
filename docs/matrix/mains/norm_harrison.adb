--  Echo, one call after the other, by the library's own server and messages. norm_harrison PORT
with Ada.Command_Line;
with GNAT.Sockets;         use GNAT.Sockets;
with Asterisk.AudioSocket; use Asterisk.AudioSocket;

procedure Norm_Harrison is
   Server : Server_Type (Family_Inet);
begin
   Create_Server
     (Server,
      (Family => Family_Inet,
       Port   => Port_Type'Value (Ada.Command_Line.Argument (1)),
       Addr   => Loopback_Inet_Addr));
   loop
      declare
         Call : Connection_Type (Family_Inet);
      begin
         Accept_Connection (Server, Call);
         while not Has_Hung_Up (Call) loop
            declare
               Heard : constant Message_Type := Receive_Message (Call);
            begin
               if Kind (Heard) = Kind_Audio then
                  Send_Audio (Call, Payload (Heard));
               end if;
            end;
         end loop;
      exception
         when others => Hang_Up (Call);
      end;
   end loop;
end Norm_Harrison;
